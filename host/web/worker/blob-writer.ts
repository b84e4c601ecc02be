// Pieces gathered into blobs, which the browser keeps outside of the page's memory.

const BLOCK_BYTES = 4 << 20;

/** Gathers pieces that are only lent, in blocks. */
export class BlobWriter {
  readonly #blobs: Blob[] = [];
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #length = 0;

  write(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + this.#block.length - this.#length);
      this.#block.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length === this.#block.length) this.#flush();
    }
  }

  #flush(): void {
    this.#blobs.push(new Blob([this.#block.subarray(0, this.#length)]));
    this.#length = 0;
  }

  end(type: string): Blob {
    this.#flush();
    return new Blob(this.#blobs, { type });
  }
}
