// Programs that look at a network from a namespace, and what they say, read: ping, traceroute, tracepath, nmap, tshark,
// a UDP client of the echo service, and our own senders in C.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exec, type Namespace } from './namespace.ts'

/** A folder for what a test or a claim writes, gone after it. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface PingResult {
  transmitted: number
  received: number
  /** The longest round trip in milliseconds. */
  longest: number
  /** min/avg/max/mdev, as ping prints it. */
  times: string
}

export async function pinged(from: Namespace, ...words: string[]): Promise<PingResult> {
  const { stdout, stderr } = await from.exec('ping', ['-q', ...words], { timeout: 120_000 })
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(stdout)
  if (counts === null) throw new Error(`ping said: ${stderr.trim() || stdout.trim()}`)
  const times = /rtt min\/avg\/max\/mdev = (\S+ ms)/.exec(stdout)?.[1] ?? ''
  const longest = Number(times.split('/')[2] ?? Number.POSITIVE_INFINITY)
  return { transmitted: Number(counts[1]), received: Number(counts[2]), longest, times }
}

/** The routers on the way and the destination, as far as they answered; '*' for one that did not. */
export async function traceroute(from: Namespace, address: string): Promise<string[]> {
  const words = ['-n', '-q', '1', '-w', '2', '-m', '8', address]
  const { stdout, stderr } = await from.exec('traceroute', address.includes(':') ? ['-6', ...words] : words)
  const hops = [...stdout.matchAll(/^ *\d+ +(\S+)/gm)].map(([, hop]) => hop)
  if (hops.length === 0) throw new Error(`traceroute said: ${stderr.trim() || stdout.trim()}`)
  return hops
}

/** What tracepath found: the path's MTU, how many hops, and whether it got there. */
export async function tracepath(from: Namespace, address: string) {
  const { stdout, stderr } = await from.exec('tracepath', [address.includes(':') ? '-6' : '-4', '-n', address])
  const found = /Resume: pmtu (\d+)(?: hops (\d+))?/.exec(stdout)
  if (found === null) throw new Error(`tracepath said: ${stderr.trim() || stdout.trim()}`)
  return { mtu: Number(found[1]), hops: Number(found[2] ?? 0), reached: stdout.includes(' reached') }
}

/** The state of each UDP port, as nmap calls it. */
export async function udpStates(from: Namespace, address: string, ...ports: number[]): Promise<Record<number, string>> {
  const words = ['-sU', '-n', '-Pn', '-p', ports.join(','), address]
  const { stdout, stderr } = await from.exec('nmap', address.includes(':') ? ['-6', ...words] : words)
  const lines = [...stdout.matchAll(/^(\d+)\/udp +(\S+)/gm)]
  if (lines.length === 0) throw new Error(`nmap said: ${stderr.trim() || stdout.trim()}`)
  return Object.fromEntries(lines.map(([, port, state]) => [port, state]))
}

/** Asks for an echo again and again, letting routers cut what we send; how many askings it took, 0 if none was answered. */
const ECHO = `
import os, socket, sys
address, length, attempts = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ':' in address else socket.AF_INET
client = socket.socket(family, socket.SOCK_DGRAM)
if family == socket.AF_INET:
    client.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: IP_PMTUDISC_DONT
client.settimeout(1)
for attempt in range(1, attempts + 1):
    data = os.urandom(length)
    try:
        client.sendto(data, (address, 7))
        while True:
            if client.recv(65535) == data:
                print(attempt)
                sys.exit()
    except OSError:
        pass
print(0)
`

export async function askingsForEcho(from: Namespace, address: string, octets: number, most = 5): Promise<number> {
  const { code, stdout, stderr } = await from.exec('python3', ['-c', ECHO, address, String(octets), String(most)])
  if (code !== 0) throw new Error(`the echo client said: ${stderr.trim()}`)
  return Number(stdout)
}

/** The packets of a capture that a display filter selects, with one field of each. */
export async function fieldOf(file: string, filter: string, field: string): Promise<string[]> {
  const { code, stdout, stderr } = await exec('tshark', ['-r', file, '-Y', filter, '-T', 'fields', '-e', field])
  if (code !== 0) throw new Error(`tshark said: ${stderr.trim()}`)
  return stdout.split('\n').filter((line) => line !== '')
}

export interface Reading {
  packets: number
  /** What tshark has to say of errors, a line each. */
  errors: string[]
}

/** Reads a capture with tshark, all checksums looked at unless the link was to complete them. */
export async function readCapture(file: string, checksums = true): Promise<Reading> {
  const preferences = ['ip', 'udp', 'tcp'].flatMap((one) => ['-o', `${one}.check_checksum:${checksums}`])
  const words = ['-r', file, ...preferences, '-T', 'fields', '-e', 'frame.number', '-e', 'frame.protocols']
  const expert = ['-e', '_ws.expert.severity', '-e', '_ws.expert.message']
  const { code, stdout, stderr } = await exec('tshark', [...words, ...expert], { timeout: 120_000 })
  if (code !== 0) throw new Error(`tshark said: ${stderr.trim()}`)
  const lines = stdout.split('\n').filter((line) => line !== '')
  const isError = (line: string) => (line.split('\t')[2] ?? '').split(',').some((one) => Number(one) >= SEVERITY_ERROR)
  return { packets: lines.length, errors: lines.filter((line) => isError(line) || line.includes('_ws.malformed')) }
}

const SEVERITY_ERROR = 0x0080_0000

/** Builds one of the senders of bench/clients; null where there is no compiler. */
export function buildClient(root: URL, name: string, folder: string): Promise<string | null> {
  return buildProgram(join(folder, name), fileURLToPath(new URL(`bench/clients/${name}.c`, root)))
}

/** Compiles a program of C, by its sources and the compiler's options; null where there is no compiler. */
export async function buildProgram(program: string, ...words: string[]): Promise<string | null> {
  const built = await exec('cc', ['-O2', '-o', program, ...words]).catch(() => null)
  if (built === null) return null
  if (built.code !== 0) throw new Error(built.stderr)
  return program
}

/** What a sender says at its end. */
export interface Sent {
  sent: number
  seconds: number
}

export async function runClient(from: Namespace, program: string, ...words: (string | number)[]): Promise<Sent> {
  const { code, stdout, stderr } = await from.exec(program, words.map(String), { timeout: 60_000 })
  if (code !== 0) throw new Error(`${program} said: ${stderr.trim()}`)
  return JSON.parse(stdout)
}
