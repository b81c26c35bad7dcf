// A certificate of the moment for the examples of TLS, made by openssl.
import { execFileSync } from 'node:child_process'

export function makeCertificate(): { key: string; cert: string } {
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const all = ['req', ...kind, ...names, '-keyout', '-', '-out', '-']
  const pem = execFileSync('openssl', all, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const [key = ''] = /-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----/.exec(pem) ?? []
  const [cert = ''] = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(pem) ?? []
  return { key, cert }
}
