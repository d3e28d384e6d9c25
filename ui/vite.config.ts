// Builds the page that the server embeds. Nothing is inlined, so that the strict
// content security policy (no inline script, no external request) holds.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const backend = process.env.TOJI_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    // One file on purpose: the tablet page must open without a network, and the service worker keeps what index.html names.
    chunkSizeWarningLimit: 800,
  },
  server: { host: "127.0.0.1", proxy: { "/api": backend } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
