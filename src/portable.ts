// The public API for everywhere: `tunstack/core`. Nothing of Node is needed.

export { BATCH_PACKETS, Checksum, PacketBatch, Segmentation } from './core/batch.ts'
export * from './core/environment.ts'
export { Address, parseAddress, parsePrefix } from './core/ip/address.ts'
export { IcmpErrorKind } from './core/ip/icmp-error.ts'
export { Count, Drop } from './core/observer.ts'
export { capture } from './link/capture.ts'
export { impaired } from './link/impaired.ts'
export { loopback } from './link/loopback.ts'
export { memory } from './link/memory.ts'
export { packets } from './link/packets.ts'
export { createStack, type InterfaceOptions, PortableStack, type RouteOptions } from './runtime/create-stack.ts'
export {
  type CloseReason,
  type ConnectEndpointOptions,
  Endpoint,
  TcpError,
} from './runtime/endpoint.ts'
export { ConnectionRequest, ListenEndpoint, type ListenEndpointOptions } from './runtime/listen-endpoint.ts'
export type { PingOptions, PingReply } from './runtime/ping.ts'
export { UdpEndpoint, UdpError } from './runtime/udp-endpoint.ts'
