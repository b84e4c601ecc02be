/**
 * as-pect: close-to-the-metal specs of the core, test/assembly/*.spec.ts.
 *
 * `npx asp --no-logo --summary` runs all; `SPEC='test/assembly/base-*.spec.ts' npx asp …` a part.
 * Each spec file becomes its own module (1-2 s each). The shared asconfig.json is merged into
 * as-pect.asconfig.json, so the module imports env.memory with its limits: we make that memory.
 */
export default {
  entries: [process.env.SPEC ?? 'test/assembly/**/*.spec.ts'],
  include: ['test/assembly/**/*.include.ts'],
  disclude: [/node_modules/],
  async instantiate(_memory, createImports, instantiate, binary) {
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536 });
    return instantiate(binary, createImports({ env: { memory } }));
  },
  outputBinary: false,
};
