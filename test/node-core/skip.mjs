// Which of Node's own tests can't apply to a stack in the process, and why. Rules look at a file's text, so that files which nobody has
// looked at are skipped rightly; names are for what no rule can see. A file that passes nevertheless is on no list: see `despite`.

/** The first rule that fits tells why. */
export const rules = [
  { why: 'needs the kernel: a pipe path', name: /-(?:path|pipe)s?[-.]/ },
  {
    // What a socket of a stack has as Node's do: its state under Node's own symbol. Numbers of errors are everybody's.
    why: "looks into Node's internal modules",
    text: /internalBinding\('(?!uv'\))|process\.binding\(|(?<!\{ kStateSymbol \} = )require\('internal\/(?!test\/binding'\))/,
  },
  { why: 'needs the kernel: a pipe path', text: /\bPIPE\b|\\\\\\\\[.?]\\\\pipe|\.sock'/ },
  { why: 'needs the kernel: cluster shares its descriptors', text: /require\('cluster'\)|from 'cluster'/ },
  {
    why: 'needs the kernel: another process, which has a stack of its own, or none',
    text: /child_process|\bfork\(|\bspawn\(/,
  },
  {
    why: 'needs the kernel: file descriptors and handles',
    text: /\bfd:\s*\w|_handle\.fd\b|\.openSync\(|new (?:TCP|Pipe|UDP)\(|guessHandleType/,
  },
  { why: 'needs worker threads to share a socket', text: /require\('worker_threads'\)|new Worker\(/ },
  { why: "measures by Node's own performance entries, which nobody else can make", text: /new PerformanceObserver\(/ },
  { why: "needs the kernel's own interfaces and their addresses", text: /\bnetworkInterfaces\(/ },
  { why: "switches the way that Node's own binding sends", text: /--test-udp-no-try-send/ },
  { why: 'needs the Internet', text: /addresses\.(?:INET|DNS)/ },
]

/** Name → why. */
export const names = {}

/** Files that a rule would skip and that run all the same: name → what of it concerns the kernel. */
export const despite = {
  'test-dgram-cluster-close-in-listening.js':
    'workers are forked, and each has a stack of its own, which is all that it asks',
  'test-net-server-listen-options.js': 'a pipe path stands beside a port that is wrong, which is found first',
}
