"""Errors of models.

TactfulError
└── ModelError              data no model can be fitted to, or rows a model cannot score
    ├── BundleError         a bundle that is damaged, incomplete or made for other features
    └── RegistryError       a version or alias the registry does not have
"""

from tactful.features.errors import TactfulError


class ModelError(TactfulError):
    """Data no model can be fitted to, or rows a model cannot score."""


class BundleError(ModelError):
    """A bundle that is damaged, incomplete or made for other features."""


class RegistryError(ModelError):
    """A version or an alias the registry does not have."""
