// Names of time zones the browser knows, for suggestions.

export function zoneNames(): string[] {
  return ["UTC", ...Intl.supportedValuesOf("timeZone")];
}
