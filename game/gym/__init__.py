"""Scenarios as Gymnasium environments: `import game.gym` makes their names known, nothing else.

The one package whose import does something, since that is how Gymnasium learns of environments.
"""

from game.gym.name import register

register()
