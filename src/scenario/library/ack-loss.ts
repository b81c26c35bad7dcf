// The way back loses a third of all acknowledgments: later ones say what the lost ones said.
import type { Scenario } from '../scenario.ts'

export const ackLoss: Scenario = {
  title: 'Lost acknowledgments',
  about:
    'A transfer over 50 Mbit/s and 40 ms whose way back loses every third packet by chance. Acknowledgments are cumulative: the next one says what the lost one said, and the transfer is hardly slower. ' +
    'The growth of the window counts octets and not acknowledgments, so that it loses nothing either.',
  length: 8000,
  hosts: { sender: {}, receiver: {} },
  links: [{ between: ['sender', 'receiver'], both: { rate: 50, delay: 20, queue: 300 }, backward: { loss: 0.33 } }],
  flows: [{ name: 'cubic', from: 'sender', to: 'receiver' }],
  plots: ['goodput', 'window'],
}
