// What an application hands over to be sent, as the stack's queues read it: one part where it lies, several put together.
// Borrowed until the call is over.
import type { Octets as Readable } from '../../core/batch.ts'

const NONE = new Uint8Array(0)

export class Octets implements Readable {
  bytes = NONE
  offset = 0
  length = 0
  #view: DataView<ArrayBuffer> | null = null

  /** Made when it is asked for: long datagrams are copied without. */
  get view(): DataView<ArrayBuffer> {
    const { bytes } = this
    return (this.#view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
  }

  take(parts: readonly NodeJS.ArrayBufferView[]): this {
    this.bytes = (parts.length === 1 ? bytesOf(parts[0]) : Buffer.concat(parts.map(bytesOf))) as Uint8Array<ArrayBuffer>
    this.length = this.bytes.length
    this.#view = null
    return this
  }

  /** The same octets, for who must wait. */
  copy(): Octets {
    const copied = new Octets()
    copied.bytes = this.bytes
    copied.length = this.length
    return copied
  }
}

function bytesOf(part: NodeJS.ArrayBufferView): Uint8Array {
  return part instanceof Uint8Array ? part : new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
}
