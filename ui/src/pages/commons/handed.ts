import { call } from "../../api/client";
import type { Handed } from "./commons";

/** Records of a kind with their fields beside their identifier. */
export async function handed(kind: string, signal?: AbortSignal): Promise<Handed[]> {
  const { records } = await call("record list", { kind, limit: 500 }, signal);
  return records.map((row) => ({ ...row.fields, id: row.id }));
}
