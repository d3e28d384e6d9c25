import { describe, expect, it } from "vitest";
import { bytesText, durationText, isZone, momentText } from "./moment";

describe("moments", () => {
  it("are shown in their zone, with its name", () => {
    expect(momentText("2024-05-06T09:12:00Z", "ja", "Asia/Tokyo")).toBe("2024-05-06 18:12 JST");
    expect(momentText("2024-05-06T09:12:00Z", "en", "UTC")).toBe("2024-05-06 09:12 UTC");
    expect(momentText("2024-12-31T23:30:00Z", "en", "Europe/Paris")).toBe("2025-01-01 00:30 GMT+1");
    expect(momentText("2024-05-06T09:12:00Z", "en", "No/Where")).toBe("2024-05-06 09:12 UTC");
    expect(momentText("not a time", "en")).toBe("not a time");
    expect(isZone("Mars/Olympus")).toBe(false);
  });
  it("are as long as a person says", () => {
    expect(durationText(42, "en")).toBe("42 s");
    expect(durationText(750, "en")).toBe("12.5 min");
    expect(durationText(172_800, "en")).toBe("48 h");
    expect(durationText(40 * 86_400, "en")).toBe("40 d");
    expect(durationText(null, "en")).toBe("");
    expect(bytesText(1_234_567, "en")).toBe("1.23 MB");
  });
});
