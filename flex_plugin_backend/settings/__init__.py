"""The settings: one frozen tree from a TOML file, the environment and secret files, checked before anything starts."""

from flex_plugin_backend.settings.load import ENV_CONFIG, ENV_PREFIX, SeveralSettingsErrors, load_settings
from flex_plugin_backend.settings.problems import Problem
from flex_plugin_backend.settings.tree import (
    ActivityRule,
    ClockSettings,
    HealthSettings,
    IntakeSettings,
    KinesisSettings,
    LedgerSettings,
    LogSettings,
    MappingSettings,
    RepairSettings,
    ReportsSettings,
    ServerSettings,
    Settings,
    SharedKey,
    StatesSettings,
    TenantSettings,
    TwilioSettings,
    WfmSettings,
)

__all__ = [
    "ENV_CONFIG",
    "ENV_PREFIX",
    "ActivityRule",
    "ClockSettings",
    "HealthSettings",
    "IntakeSettings",
    "KinesisSettings",
    "LedgerSettings",
    "LogSettings",
    "MappingSettings",
    "Problem",
    "RepairSettings",
    "ReportsSettings",
    "ServerSettings",
    "Settings",
    "SeveralSettingsErrors",
    "SharedKey",
    "StatesSettings",
    "TenantSettings",
    "TwilioSettings",
    "WfmSettings",
    "load_settings",
]
