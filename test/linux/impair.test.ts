// `tunstack serve --impair` on real devices: the path is as bad as it was asked to be, on one and between two.
import { afterEach, expect, it } from 'vitest'
import { createNamespace, type Namespace } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { serve } from '../support/tunstack.ts'

const namespaces: Namespace[] = []

function another(): Namespace {
  const made = createNamespace()
  namespaces.push(made)
  return made
}

afterEach(async () => {
  await Promise.all(namespaces.splice(0).map((made) => made.dispose()))
})

async function ping(from: Namespace, ...words: string[]): Promise<{ lost: number; least: number }> {
  const { stdout } = await from.exec('ping', ['-q', ...words])
  return {
    lost: Number(/([\d.]+)% packet loss/.exec(stdout)?.[1]),
    least: Number(/rtt min\/avg\/max\/mdev = ([\d.]+)/.exec(stdout)?.[1]),
  }
}

/** Ping waits two round trips for the last reply: on a busy machine that one may come later, and counts as lost. In percent of 20. */
const LATE = 5

describeOnKernel('tunstack serve --impair', () => {
  it('delays and loses, each way', async () => {
    const namespace = another()
    await serve(namespace, '--impair', 'delay=10,loss=0.2', '--impair-seed', '3')
    const { lost, least } = await ping(namespace, '-c', '200', '-i', '0.005', '10.7.0.2')
    expect(least).toBeGreaterThanOrEqual(20)
    expect(lost).toBeGreaterThan(20)
    expect(lost).toBeLessThan(52)
  })

  it('delays what goes one way alone', async () => {
    const namespace = another()
    await serve(namespace, '--impair-out', 'delay=10')
    const { lost, least } = await ping(namespace, '-c', '20', '-i', '0.01', '10.7.0.2')
    expect(lost).toBeLessThanOrEqual(LATE)
    expect(least).toBeGreaterThanOrEqual(10)
    expect(least).toBeLessThan(20)
  })

  it('stands between two kernels, and each packet crosses it once', async () => {
    const [left, right] = [another(), another()]
    await serve(left, '--forward', '--netns2', right.name, '--impair', 'delay=10')
    const { lost, least } = await ping(left, '-c', '20', '-i', '0.01', '10.8.0.1')
    expect(lost).toBeLessThanOrEqual(LATE)
    expect(least).toBeGreaterThanOrEqual(20)
    expect(least).toBeLessThan(40)
  })
})
