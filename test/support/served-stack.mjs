// A stack of the built package on a TUN device, in a process of its own that tells its parent what it counts:
// options as JSON in the first argument, `look` or `reset` as messages. Started by served-stack.ts.
import { capture, createStack, openCaptureFile, startServices, tun } from '../../dist/index.js'

const SAMPLE = 5

const { netns, name, hosts, addresses, gateways, mtu, offload, file } = JSON.parse(process.argv[2])
const stack = await createStack()
stack.hold()
const { discarded } = startServices(stack)
const link = tun({ netns, name, address: hosts, mtu, offload })
const captured = file === null ? null : openCaptureFile(file)
stack.addInterface({
  link: captured === null ? link : capture(link, captured.write, { name }),
  name,
  addresses,
  gateways,
})

let most = { fragmentOctets: 0, residentMegabytes: 0 }
const sample = () => {
  most.fragmentOctets = Math.max(most.fragmentOctets, stack.core.fragments.octets)
  most.residentMegabytes = Math.max(most.residentMegabytes, process.memoryUsage.rss() / 2 ** 20)
}
const look = () => {
  sample()
  process.send({ ...stack.counters(), discarded, most })
}
setInterval(sample, SAMPLE)
process.on('message', (what) => {
  if (what === 'reset') most = { fragmentOctets: 0, residentMegabytes: 0 }
  look()
})
const end = () => {
  stack.close()
  captured?.close()
  process.exit(0)
}
process.once('SIGTERM', end)
process.once('disconnect', end)
look()
