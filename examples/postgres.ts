// pg on a stack: PostgreSQL is the kernel's, on the other end of a TUN device. NETNS names the network namespace for the device.
import pg from 'pg'
import { createStack, tun } from 'tunstack'

const stack = await createStack()
const link = tun({ address: '10.7.0.1/24', netns: process.env.NETNS })
stack.addInterface({ link, addresses: ['10.7.0.2/24'] })

const client = new pg.Client({
  host: '10.7.0.1',
  user: process.env.PGUSER ?? 'postgres',
  database: 'postgres',
  // With `ssl`, pg runs TLS over it.
  stream: () => new stack.net.Socket(),
})
await client.connect()
const who = await client.query('select host(inet_client_addr()) as client, $1::int * 2 as twice', [21])
console.log(who.rows[0])
const many = await client.query(
  'select sum(length(repeat(n::text, 100))) as octets from generate_series(1, 10000) as n',
)
console.log(many.rows[0])
const { rowCount } = await client.query("select repeat('x', 1000) from generate_series(1, 2000)")
console.log(rowCount, 'rows of 1000 octets')
await client.end()
stack.close()
