// The heap of due things against a sorted list.
import { expect, test } from 'vitest'
import { Schedule, type Scheduled } from '../../src/link/schedule.ts'
import { seeded } from '../support/seeded.ts'

interface Named extends Scheduled {
  name: number
}

test('gives what is due first, equals in the order of their coming, whatever is taken out between', () => {
  const random = seeded(3)
  for (let round = 0; round < 50; round++) {
    const schedule = new Schedule<Named>()
    const model: Named[] = []
    for (let name = 0; name < 300; name++) {
      const choice = random.below(10)
      if (choice < 6) {
        const item = { name, at: 0, order: 0, place: -1 }
        const at = random.below(20)
        schedule.add(item, at)
        model.push(item)
      } else if (choice < 8 && model.length > 0) {
        const [item] = model.splice(random.below(model.length), 1)
        schedule.remove(item)
        schedule.remove(item)
      } else {
        model.sort((one, other) => one.at - other.at || one.order - other.order)
        expect(schedule.first()).toBe(model[0] ?? null)
        expect(schedule.shift()).toBe(model.shift() ?? null)
      }
      expect(schedule.size).toBe(model.length)
    }
    model.sort((one, other) => one.at - other.at || one.order - other.order)
    expect(model.map(() => schedule.shift())).toEqual(model)
    expect(schedule.shift()).toBe(null)
  }
})
