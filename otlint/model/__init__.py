"""What a rule may ask about one file and its project.

`module.Module` is asked about a file, `project.Project` about what files know of each other. They answer by way of

- `code`: scopes, types, places; `flow`: the ways that control takes; `text`: how many values a text can have,
- `facts`: what one file contributes to the project; `functions`: what functions do for their callers,
- `spans`, `context`, `errors`, `kinds`: what becomes of spans, of their parents, of failures, and what spans stand for,
- `setup`, `attributes`, `metrics`: how telemetry is set up and ended, and what is written and measured.
"""
