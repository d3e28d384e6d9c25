import { describe, expect, test } from "vitest";
import { creation, fromBytes, request, toBytes } from "./passkey";

describe("passkeys", () => {
  test("bytes travel as base64url without padding", () => {
    // RFC 4648, section 10, and the two letters that differ.
    for (const [plain, coded] of [["", ""], ["f", "Zg"], ["fo", "Zm8"], ["foo", "Zm9v"], ["foob", "Zm9vYg"], ["fooba", "Zm9vYmE"], ["foobar", "Zm9vYmFy"]] as const) {
      expect(fromBytes(new TextEncoder().encode(plain).buffer as ArrayBuffer)).toBe(coded);
      expect(new TextDecoder().decode(toBytes(coded))).toBe(plain);
    }
    expect([...new Uint8Array(toBytes("-_8"))]).toEqual([0xfb, 0xff]);
    expect(fromBytes(new Uint8Array([0xfb, 0xff]).buffer)).toBe("-_8");
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect([...new Uint8Array(toBytes(fromBytes(all.buffer)))]).toEqual([...all]);
  });

  test("options become what the browser takes, and nothing is lost", () => {
    const asked = request({ rpId: "localhost", challenge: "Zm9v", timeout: 1, allowCredentials: [{ type: "public-key", id: "Zg", transports: ["usb"] }], userVerification: "preferred" });
    expect(new TextDecoder().decode(asked.challenge as ArrayBuffer)).toBe("foo");
    expect(new Uint8Array(asked.allowCredentials?.[0]?.id as ArrayBuffer)[0]).toBe("f".charCodeAt(0));
    expect([asked.rpId, asked.userVerification, asked.allowCredentials?.[0]?.transports]).toEqual(["localhost", "preferred", ["usb"]]);
    const made = creation({
      rp: { id: "localhost", name: "Toji" },
      user: { id: "Zm9v", name: "hanako-7", displayName: "hanako-7" },
      challenge: "Zm8",
      pubKeyCredParams: [{ type: "public-key", alg: -7 }],
      timeout: 1,
      excludeCredentials: [],
      authenticatorSelection: { userVerification: "preferred" },
      attestation: "none",
    });
    expect([made.user.name, made.attestation, made.pubKeyCredParams[0]?.alg]).toEqual(["hanako-7", "none", -7]);
    expect(new TextDecoder().decode(made.user.id as ArrayBuffer)).toBe("foo");
  });
});
