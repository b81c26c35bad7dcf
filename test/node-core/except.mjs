// Which of Node's own tests of `http` don't apply to a simulated host, and which fail there though they pass on the kernel, each with its
// reason. A file that is on no list must pass.

/** The first rule that fits tells why a file is not tried. */
export const inHostRules = [
  { why: 'another process, which has the kernel under it', text: /child_process|\bfork\(|\bspawn\(/ },
  { why: 'cluster: other processes, which have the kernel under them', text: /require\('cluster'\)|from 'cluster'/ },
  { why: "a pipe path: the kernel's", text: /\bPIPE\b|\\\\\\\\[.?]\\\\pipe|\.sock'/ },
  { why: 'workers have the kernel under them', text: /require\('worker_threads'\)|new Worker\(/ },
  { why: 'needs the Internet', text: /addresses\.(?:INET|DNS)/ },
]

/** Name → why it fails in a host. */
export const exceptions = {
  'test-http-addrequest-localaddress.js':
    "looks for a pool by its name in the global agent, where a host's pools have names of their own",
  'test-http-autoselectfamily.js': "asks a name server of its own, where a host's names are the network's",
  'test-http-outgoing-end-multiple.js':
    'a write is told done in the next tick, where the kernel often takes it at once (`socket.writableLength` is 0)',
  'test-http-pause-no-dump.js':
    "ticks run after all that one read brings; under libuv they run after each piece of a request's body too",
}
