// What only the bundler knows (build/web.mjs).

declare module '*.css';

/** The worker, bundled into the page as text: it starts from a blob and inherits the page's CSP. */
declare module '*?worker&inline' {
  const WorkerConstructor: new (options?: { name?: string }) => Worker;
  export default WorkerConstructor;
}

/** build/core.wasm in base64, for the console. */
declare module 'virtual:core-wasm' {
  export const CORE_WASM: string;
}
