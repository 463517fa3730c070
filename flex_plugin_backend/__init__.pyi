from flex_plugin_backend.flow.drive import ManualDrive as ManualDrive
from flex_plugin_backend.web.extension import FlexPlugin as FlexPlugin
from flex_plugin_backend.web.extension import create_app as create_app

__all__ = ["FlexPlugin", "ManualDrive", "__version__", "create_app"]

__version__: str
