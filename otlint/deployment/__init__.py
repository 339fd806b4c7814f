"""How the services of a project are run, by what its other files say."""
