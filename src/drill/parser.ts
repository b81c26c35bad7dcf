// Reads a packetdrill script: flags, times, and what happens then. The parts of a packet are drill/packet-parser's, those of a system
// call drill/values'. A script that can't be read is told of with its line (ScriptError).
import { readPacket } from './packet-parser.ts'
import { Scanner } from './scanner.ts'
import type { Script, ScriptEvent, When } from './script.ts'
import { readCall } from './values.ts'

const SECONDS = '\\d+(?:\\.\\d+)?|\\.\\d+'
const TIME = new RegExp(`\\*|(\\+?)\\s*(${SECONDS})(?:\\s*~\\s*\\+?(${SECONDS}))?`, 'y')
const UNTIL = new RegExp(`\\.\\.\\.\\s*\\+?(${SECONDS})`, 'y')
const FLAG = /--([A-Za-z_]\w*)(?:=("[^"\n]*"|\S+))?/y
const NOW: When = { kind: 'relative', from: 0, to: null }

export function parse(text: string): Script {
  const scanner = new Scanner(text)
  const flags = new Map<string, string>()
  const events: ScriptEvent[] = []
  while (!scanner.isAtEnd) {
    const flag = scanner.take(FLAG)
    if (flag === null) events.push(readEvent(scanner))
    else flags.set(flag[1], (flag[2] ?? '').replace(/^"|"$/g, ''))
  }
  return { flags, knobs: knobsOf(text), firstComment: firstCommentOf(text), events }
}

function readEvent(scanner: Scanner): ScriptEvent {
  scanner.skip()
  const { line, at } = scanner
  const { when, until } = readTime(scanner)
  const placed = () => ({ line, text: onOneLine(scanner.text.slice(at, scanner.end)), when })
  const command = scanner.take(/`([^`]*)`/y)
  if (command !== null) return { kind: 'command', command: command[1], ...placed() }
  const code = scanner.take(/%\{([\s\S]*?)\}%/y)
  if (code !== null) return { kind: 'code', code: code[1], ...placed() }
  if (scanner.sees(/[<>]|UDP\b/y)) {
    const packet = readPacket(scanner)
    return { kind: 'packet', packet, ...placed() }
  }
  const call = readCall(scanner)
  return { kind: 'call', call, until, ...placed() }
}

function readTime(scanner: Scanner): { when: When; until: number | null } {
  const found = scanner.take(TIME)
  if (found === null) {
    if (scanner.sees(/`|%\{/y)) return { when: NOW, until: null }
    return scanner.fail('here should be the time of an event')
  }
  if (found[0] === '*') return { when: { kind: 'any', from: 0, to: null }, until: null }
  const kind = found[1] === '+' ? 'relative' : 'absolute'
  const to = found[3] === undefined ? null : microseconds(found[3])
  const until = scanner.take(UNTIL)
  return { when: { kind, from: microseconds(found[2]), to }, until: until === null ? null : microseconds(until[1]) }
}

function microseconds(seconds: string): number {
  return Math.round(Number(seconds) * 1_000_000)
}

function onOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function knobsOf(text: string): Map<string, string> {
  const knobs = new Map<string, string>()
  for (const [, list] of text.matchAll(/^\s*(?:\/\/|#)\s*tunstack:\s*(.*)$/gm)) {
    for (const [, name, value] of list.matchAll(/([\w.]+)=(\S+)/g)) knobs.set(name, value)
  }
  return knobs
}

/** The comment that the script begins with, as far as it goes without a break. */
function firstCommentOf(text: string): string {
  const found = /^\s*((?:(?:\/\/|#)[^\n]*\n?[ \t]*)+|\/\*[\s\S]*?\*\/)/.exec(text)
  return found?.[1] ?? ''
}
