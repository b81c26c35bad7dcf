// Who may import whom: the table that test/architecture.test.ts holds against the real imports.
// `docs/architecture.md` tells it in words.

/** Folders of `src` that run everywhere, and need no clock of their own. */
export const PORTABLE = ['link', 'runtime', 'simulate', 'http', 'services', 'inspect', 'web', 'drill', 'scenario']

const GROUND = [
  'core/wire',
  'core/batch',
  'core/environment',
  'core/deadlines',
  'core/observer',
  'core/ring',
  'core/ready',
  'core/siphash',
]
/** What of the IP layer a transport knows. */
const TRANSPORT = [
  'core/ip/output',
  'core/ip/routes',
  'core/ip/path-mtu',
  'core/ip/address',
  'core/ip/packet',
  'core/ip/interface',
  'core/ip/interfaces',
  'core/ip/icmp-error',
]
const PUBLIC = ['index', 'portable', 'node/simulate', 'node/tun-device']

/** A folder or file of `src` (the longest that fits is meant) and what it may import beside itself. */
export const MAY_IMPORT: Record<string, string[]> = {
  'core/wire': [],
  'core/siphash': [],
  'core/batch': [],
  'core/deadlines': [],
  'core/ring': [],
  'core/ready': ['core/ring'],
  'core/observer': ['core/batch'],
  'core/environment': ['core/batch'],
  'core/ip': GROUND,
  'core/udp': [...GROUND, ...TRANSPORT, 'core/ip/datagram-queue', 'core/ip/recent-peers', 'core/ip/send-queue'],
  'core/tcp': [...GROUND, ...TRANSPORT, 'core/tcp/congestion'],
  'core/tcp/congestion': [],
  'core/stack': ['core'],
  link: ['core/batch', 'core/environment'],
  runtime: ['core', 'link/loopback'],
  // Lists of networks are read and compared as the stack does it.
  http: ['runtime', 'core/ip/address'],
  services: ['runtime', 'core/environment'],
  web: ['runtime'],
  inspect: [
    ...['core/batch', 'core/observer', 'core/wire', 'core/ip/address', 'runtime'],
    ...['core/tcp/connection', 'core/tcp/state', 'core/tcp/tcp-info', 'core/tcp/timers', 'core/udp/socket'],
  ],
  // Boxes in the middle read and write headers; the timeline tells what connections suffer, and is drawn.
  simulate: [
    ...['runtime', 'link', 'inspect', 'core/environment', 'core/batch', 'core/ready', 'core/observer', 'core/wire'],
    ...['core/ip/address', 'core/tcp/connection', 'core/tcp/state', 'core/tcp/timers'],
  ],
  // Virtual time is the simulator's; scripts set TCP's settings, and write addresses.
  drill: [
    'runtime',
    'link',
    'core/wire',
    'core/environment',
    'core/ip/address',
    'core/tcp/settings',
    'simulate/clock',
    'simulate/random',
  ],
  // A scenario is a simulated network, what runs in it, and pictures of it.
  scenario: ['simulate', 'runtime', 'http', 'link', 'inspect/plot', 'core/tcp/settings'],
  node: ['core', ...PORTABLE],
  cli: PUBLIC,
  dashboard: PUBLIC,
  portable: ['core', ...PORTABLE],
  index: ['core', ...PORTABLE, 'node'],
}

/** Packages that a folder may import; all others are Node's own modules in node and cli, and nothing elsewhere. */
export const PACKAGES: Record<string, string[]> = { cli: ['cac'], dashboard: ['uplot'] }
