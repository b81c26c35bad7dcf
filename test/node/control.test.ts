// The control socket: its rights, its questions and answers, and what others may have left in its place.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { askControl, CONTROL_FOLDER, type Control, findControls, openControl } from '../../src/node/control.ts'

let home: string
let folder: string
let control: Control | null = null

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'control-'))
  folder = join(home, 'sockets')
  process.env[CONTROL_FOLDER] = folder
})

afterEach(() => {
  control?.close()
  control = null
  delete process.env[CONTROL_FOLDER]
  rmSync(home, { recursive: true, force: true })
})

const open = async () => {
  control = await openControl(({ ask, ...rest }) => {
    if (ask === 'fail') throw new Error('no such thing')
    return { ask, rest }
  })
  return control
}

it('answers a question', async () => {
  const { path } = await open()
  expect(await askControl(path, { ask: 'echo', more: [1] })).toEqual({ ask: 'echo', rest: { more: [1] } })
  await expect(askControl(path, { ask: 'fail' })).rejects.toThrow('no such thing')
})

it('is for its owner alone', async () => {
  const { path } = await open()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
})

it('takes what others could do to its folder back', async () => {
  mkdirSync(folder)
  chmodSync(folder, 0o777)
  const { path } = await open()
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
})

it('is not laid where a link leads elsewhere', async () => {
  mkdirSync(join(home, 'elsewhere'))
  symlinkSync(join(home, 'elsewhere'), folder)
  await expect(openControl(() => null)).rejects.toThrow('belongs to somebody else')
})

it('is found while it is there, beside what a killed one left', async () => {
  const { path } = await open()
  writeFileSync(join(folder, '1.sock'), '')
  writeFileSync(join(folder, 'readme'), '')
  expect([...(await findControls())]).toEqual([[process.pid, path]])
  control?.close()
  expect([...(await findControls())]).toEqual([])
})

it('says what it makes of something else than a question', async () => {
  const { path } = await open()
  const reply = await new Promise<string>((resolve) => {
    const socket = connect(path, () => socket.write('{"no":1}\n'))
    socket.setEncoding('utf8').on('data', resolve)
  })
  expect(JSON.parse(reply)).toEqual({ error: 'a question is an object with a member ask' })
})

it('lets somebody go who never ends a question', async () => {
  const { path } = await open()
  await new Promise((resolve) => {
    const socket = connect(path, () => socket.write('x'.repeat(5000)))
    socket.on('error', () => {}).once('close', resolve)
  })
})
