/** Where the operator's settings are looked for. In a file of its own, so that help does not load the schemas. */
export const DEFAULT_SETTINGS_FILE = "firebreak.yaml";
