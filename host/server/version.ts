// The version of respite, as package.json says it (a test compares them).

export const RESPITE_VERSION = '0.1.0';
