"""One file a command or group of commands; each is imported only when it is asked for.

A module brings `app`, from `new_group`. Nothing at its top may import the store: `--help` and completion read it.
"""
