// Waits until the program has nothing more to do at once, so that virtual time may move: every promise that can be
// fulfilled is. A message to oneself is a task of the event loop, and microtasks run dry before it.

export interface Settler {
  settle(): Promise<void>
  close(): void
}

export function settler(): Settler {
  const { port1, port2 } = new MessageChannel()
  let resolve: () => void = () => {}
  port1.onmessage = () => resolve()
  return {
    settle: () =>
      new Promise<void>((done) => {
        resolve = done
        port2.postMessage(null)
      }),
    close: () => port1.close(),
  }
}
