"""The only makers of edits. Each takes the module first, changes nothing, and returns edits whose result parses."""

from __future__ import annotations

from otlint.edits.carriers import inject_first, inject_inside
from otlint.edits.endings import end_in_finally
from otlint.edits.expressions import (
    append_element,
    bind_exception,
    insert_argument,
    prepend_element,
    remove_argument,
    rename,
    rename_function,
    replace,
    set_argument,
    surround,
)
from otlint.edits.imports import leftover_imports, leftover_with_others, reference
from otlint.edits.providers import flush_before, flush_in_finally, shut_down_in
from otlint.edits.reports import record_and_raise, recording_handler, report_failure, set_error_after
from otlint.edits.spans import add_attributes, set_attributes_after, set_kind
from otlint.edits.statements import (
    append,
    delete_clause,
    delete_statement,
    insert_after,
    insert_before,
    make_sync,
    prepend,
    replace_header,
    unwrap,
    wrap_try_finally,
    wrap_with,
)
from otlint.edits.threads import carry_context

__all__ = [
    "add_attributes",
    "append",
    "append_element",
    "bind_exception",
    "carry_context",
    "delete_clause",
    "delete_statement",
    "end_in_finally",
    "flush_before",
    "flush_in_finally",
    "inject_first",
    "inject_inside",
    "insert_after",
    "insert_argument",
    "insert_before",
    "leftover_imports",
    "leftover_with_others",
    "make_sync",
    "prepend",
    "prepend_element",
    "record_and_raise",
    "recording_handler",
    "reference",
    "remove_argument",
    "rename",
    "rename_function",
    "replace",
    "replace_header",
    "report_failure",
    "set_argument",
    "set_attributes_after",
    "set_error_after",
    "set_kind",
    "shut_down_in",
    "surround",
    "unwrap",
    "wrap_try_finally",
    "wrap_with",
]
