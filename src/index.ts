// The public API for Node: the stack and its links, the TUN device, capturing, the services, and a look at the machine.

export { Checksum, PacketBatch, Segmentation } from './core/batch.ts'
export type { Alarm, Clock, Environment, Link, Offload, Random, Time } from './core/environment.ts'
export { Address, type Prefix, parseAddress, parsePrefix } from './core/ip/address.ts'
export { IcmpErrorKind } from './core/ip/icmp-error.ts'
export { bbr } from './core/tcp/congestion/bbr.ts'
export {
  type Acknowledged,
  type Congestion,
  type CongestionFactory,
  type CongestionSettings,
  LARGEST_WINDOW,
  NO_THRESHOLD,
  UNPACED,
} from './core/tcp/congestion/congestion.ts'
export { Cubic, cubic } from './core/tcp/congestion/cubic.ts'
export { Reno, reno } from './core/tcp/congestion/reno.ts'
export { type LogEntry, type LogFormat, logLine } from './http/access-log.ts'
export { createHttpClient, type HttpClient, type HttpClientOptions, type RequestInit } from './http/client.ts'
export type { ClientLimits } from './http/client-connection.ts'
export type { ClientResponse, Timings } from './http/client-response.ts'
export { type Condition, evaluate, mayRange, type Validators } from './http/conditional.ts'
export { type CookieOptions, parseCookies, setCookie } from './http/cookies.ts'
export { httpDate, parseHttpDate } from './http/date.ts'
export { type EventStream, eventStream, type ServerEvent } from './http/event-stream.ts'
export type { HttpLimits } from './http/limits.ts'
export { peerFilter } from './http/peer-filter.ts'
export { contentRange, type OctetRange, parseRange } from './http/range.ts'
export type { HttpRequest } from './http/request.ts'
export { type Answer, HttpResponse, type OctetSource, type ResponseInit } from './http/response.ts'
export {
  type ConnectionView,
  createHttpServer,
  type Handler,
  type HttpListenOptions,
  type HttpServer,
  type HttpServerOptions,
} from './http/server.ts'
export { type SiteOptions, site } from './http/site.ts'
export { HttpError } from './http/status.ts'
export {
  ConnectionWatch,
  type Watchable,
  type WatchedConnection,
  type WatchedSegment,
} from './inspect/connection-watch.ts'
export {
  type ConnectionsOptions,
  connections,
  type SocketView,
  type TimerView,
} from './inspect/connections.ts'
export { type CauseDescription, describeCause, describeSent } from './inspect/describe-cause.ts'
export { describeNote, noteDescriber } from './inspect/describe-note.ts'
export { describePacket } from './inspect/describe-packet.ts'
export { type CounterGroup, type NetstatCounters, netstatCounters } from './inspect/netstat-counters.ts'
export {
  type MetricFamily,
  type MetricSample,
  OPEN_METRICS_TYPE,
  openMetrics,
  stackMetrics,
} from './inspect/open-metrics.ts'
export { connectionKey, type Overview, overview, placeOf, type SocketRow } from './inspect/overview.ts'
export { readSegment, SegmentFlag, type SegmentView } from './inspect/segment-view.ts'
export { type SenderSample, sampleOf } from './inspect/sender-sample.ts'
export { type CaptureOptions, capture } from './link/capture.ts'
export { type ImpairedLink, type Impairments, impaired } from './link/impaired.ts'
export { checkImpairment, type Impairment } from './link/impairment.ts'
export { type MemoryLink, type MemoryOptions, memory } from './link/memory.ts'
export { type PacketsLink, type PacketsOptions, packets } from './link/packets.ts'
export { type PcapngOptions, PcapngWriter } from './link/pcapng.ts'
export { type Watch, WatchedLink } from './link/watched.ts'
export { captureRemotely, type RemoteCapture, type RemoteCaptureOptions } from './node/capture-client.ts'
export { type CaptureFile, openCaptureFile } from './node/capture-file.ts'
export { CaptureOutlet } from './node/capture-outlet.ts'
export type { Connector, ConnectorOptions, ConnectorTarget } from './node/connector.ts'
export {
  askControl,
  CONTROL_FOLDER,
  type Control,
  ControlStream,
  controlFolders,
  findControls,
  openControl,
  type Question,
} from './node/control.ts'
export { createStack, type HeldUdpEndpoint, type NodeStack, type NodeStackOptions } from './node/create-stack.ts'
export type { Dgram } from './node/dgram/dgram.ts'
export type { DgramSocket } from './node/dgram/socket.ts'
export type { DgramSocketOptions, MessageListener } from './node/dgram/socket-constructor.ts'
export type { RemoteInfo } from './node/dgram/udp-handle.ts'
export { Files, type FilesOptions } from './node/files.ts'
export type { Http, Https } from './node/http.ts'
export type { Http2 } from './node/http2.ts'
export type { KeyListener } from './node/key-log.ts'
export { type CheckName, examineMachine, type Machine, type MachineCheck } from './node/machine.ts'
export type { OnStack, StackListening } from './node/net/adopt.ts'
export type { ConnectOptions } from './node/net/connect.ts'
export type { ListenOptions } from './node/net/listen.ts'
export type { Connect, Net } from './node/net/net.ts'
export type { Filter, IncomingRequest, StackServer, Verdict } from './node/net/server.ts'
export type { ConnectionListener, ServerOptions } from './node/net/server-constructor.ts'
export type { StackSocket } from './node/net/socket.ts'
export type { SocketOptions } from './node/net/socket-constructor.ts'
export type { LookupAddress, NameOptions, Resolver } from './node/resolver.ts'
export { type Routed, type ServeNodeOptions, serveNode } from './node/serve-node.ts'
export type { StackCaptureOptions } from './node/stack-capture.ts'
export { SystemRandom } from './node/system.ts'
export type { Tls } from './node/tls.ts'
export { type TunLink, type TunOptions, tun } from './node/tun.ts'
export { TunError, type TunRoute } from './node/tun-device.ts'
export type { InterfaceOptions, RouteOptions } from './runtime/create-stack.ts'
export {
  type CloseReason,
  type ConnectEndpointOptions,
  type Endpoint,
  TcpError,
} from './runtime/endpoint.ts'
export type { EventQueue, EventsOptions } from './runtime/event-queue.ts'
export type {
  CauseName,
  CongestionEvent,
  ConnectionEvent,
  ConnectionFacts,
  DropEvent,
  DropName,
  LostEvent,
  ReceivedEvent,
  RecoveryEvent,
  RetransmissionEvent,
  RoundTripEvent,
  SegmentFacts,
  SentEvent,
  StateEvent,
  TcpEvent,
  WindowEvent,
} from './runtime/events.ts'
export type { ConnectionRequest, ListenEndpoint, ListenEndpointOptions } from './runtime/listen-endpoint.ts'
export type { PingOptions, PingReply } from './runtime/ping.ts'
export type { StateName } from './runtime/state-name.ts'
export { type UdpEndpoint, UdpError } from './runtime/udp-endpoint.ts'
export type { EventListener } from './runtime/watching.ts'
export { type Services, type ServicesOptions, startServices } from './services/start.ts'
export { SeededRandom } from './simulate/random.ts'
export { SocketError, type SocketErrorCode } from './web/socket-error.ts'
export { type StreamFilter, StreamListener, type StreamVerdict } from './web/stream-listener.ts'
export { StreamSocket, type StreamSocketInfo, type StreamSocketOptions } from './web/stream-socket.ts'
export {
  type SocketAddressText,
  type StreamConnectOptions,
  type StreamListenOptions,
  type StreamSockets,
  type StreamSocketsOptions,
  streamSockets,
} from './web/stream-sockets.ts'
