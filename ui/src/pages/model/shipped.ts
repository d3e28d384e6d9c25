// The models that ship, with a time in which each shows what it does. A test holds the names against those of the server.

export const SHIPPED = [
  { name: "cho-mab-fed-batch", until: "336 h" },
  { name: "cho-mab-perfusion", until: "60 d" },
  { name: "monod-chemostat", until: "60 h" },
  { name: "monod-fed-batch", until: "24 h" },
  { name: "park-ramirez-1988", until: "15 h" },
  { name: "chen-hwang-1990", until: "54 h" },
  { name: "srinivasan-2003", until: "130 h" },
  { name: "luedeking-piret-fed-batch", until: "60 h" },
  { name: "anane-2017", until: "32 h" },
  { name: "bajpai-reuss-1980", until: "132 h" },
  { name: "birol-2002", until: "400 h" },
  { name: "knallgas-phb", until: "48 h" },
  { name: "sake-moromi", until: "20 d" },
] as const;

/** How long a model is run where the reader says nothing. */
export function usualTime(name: string, timeUnit: string): string {
  return SHIPPED.find((one) => one.name === name)?.until ?? `24 ${timeUnit}`;
}

/** The address of a file on the server, cut for reading. */
export function shortAddress(named: string): string {
  const digest = /^sha256:([0-9a-f]{12})[0-9a-f]+$/.exec(named)?.[1];
  return digest === undefined ? named : `sha256:${digest}…`;
}
