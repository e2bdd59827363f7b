"""``python -m clickup_toolkit.cli``: the command line, with the interpreter that runs now."""

from clickup_toolkit.cli import main

if __name__ == "__main__":
    main(prog_name="clickup-toolkit")
