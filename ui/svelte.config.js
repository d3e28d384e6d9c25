// Svelte 5 with runes only; TypeScript is stripped by the compiler itself.
export default { compilerOptions: { runes: true } };
