"""`python -m flex_plugin_backend` is `flex-wfm`."""

from flex_plugin_backend.cli import main

if __name__ == "__main__":
    main(prog_name="flex-wfm")
