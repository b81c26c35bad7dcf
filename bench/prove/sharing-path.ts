// The path behind the bottleneck of `sharing`, in a process of its own, so that it takes no time from the sender of ours: delays both ways
// and hands on. Named on the command line: the namespaces to its left and to its right, the delay, the seed. Ends with its parent.
import { builtPackage } from './transfer-path.ts'

const [left, right, delay, seed] = process.argv.slice(2)
const { createStack, impaired, SeededRandom, tun } = await builtPackage()
const common = { offload: false, mtu: 1500 }
const onward = [{ to: '10.8.0.0/24', via: '10.7.0.2' }]
const toLeft = tun({ ...common, name: 'tun1', netns: left, address: ['10.7.0.1/24'], routes: onward })
const back = ['10.5.0.0/24', '10.6.0.0/24', '10.7.0.0/24'].map((to) => ({ to, via: '10.8.0.2' }))
const toRight = tun({ ...common, netns: right, address: ['10.8.0.1/24'], routes: back })
const stack = await createStack({ forward: true })
const long = impaired(toLeft, { delay: Number(delay) }, new SeededRandom(Number(seed), 'delay'), {})
stack.addInterface({ link: long, addresses: ['10.7.0.2/24'], gateways: ['10.7.0.1'] })
stack.addInterface({ link: toRight, addresses: ['10.8.0.2/24'] })
process.on('disconnect', () => process.exit())
process.send?.('ready')
