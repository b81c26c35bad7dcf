// The public API for everywhere: `tunstack/core`. Nothing of Node is needed.

export { BATCH_PACKETS, Checksum, PacketBatch, Segmentation } from './core/batch.ts'
export * from './core/environment.ts'
export { Address, parseAddress, parsePrefix } from './core/ip/address.ts'
export { IcmpErrorKind } from './core/ip/icmp-error.ts'
export { Count, Drop } from './core/observer.ts'
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
export { type DrillOptions, type DrillResult, drill } from './drill/drill.ts'
export { type TraceRow, traceText } from './drill/trace.ts'
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
export { type ChangeOfState, changeOf, reasonOf, type SentReason } from './inspect/event-words.ts'
export { type ConversationStory, type Explanation, explain, type SideFigures } from './inspect/explain/explain.ts'
export { explanationText } from './inspect/explain/story-text.ts'
export { timeSequence } from './inspect/explain/time-sequence.ts'
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
export { capture } from './link/capture.ts'
export { impaired } from './link/impaired.ts'
export { loopback } from './link/loopback.ts'
export { memory } from './link/memory.ts'
export { packets } from './link/packets.ts'
export { type Watch, WatchedLink } from './link/watched.ts'
export { type Wire, type WireOptions, wire } from './link/wire.ts'
export { createStack, type InterfaceOptions, PortableStack, type RouteOptions } from './runtime/create-stack.ts'
export {
  type CloseReason,
  type ConnectEndpointOptions,
  Endpoint,
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
export { ConnectionRequest, ListenEndpoint, type ListenEndpointOptions } from './runtime/listen-endpoint.ts'
export type { PingOptions, PingReply } from './runtime/ping.ts'
export { type StateName, stateName } from './runtime/state-name.ts'
export { UdpEndpoint, UdpError } from './runtime/udp-endpoint.ts'
export type { EventListener } from './runtime/watching.ts'
export { SCENARIOS } from './scenario/library.ts'
export { type Picture, pictures } from './scenario/pictures.ts'
export { type RunOptions, runScenario, type ScenarioResult } from './scenario/run.ts'
export type { Scenario } from './scenario/scenario.ts'
export { checkScenario, ScenarioError } from './scenario/scenario-check.ts'
export { describeScenario, tableMarkdown, tableText } from './scenario/table.ts'
export { Host, type HostOptions } from './simulate/host.ts'
export { type LinkOptions, Network, type SimulateOptions, simulate } from './simulate/network.ts'
export { type Direction, NetworkLink } from './simulate/network-link.ts'
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
