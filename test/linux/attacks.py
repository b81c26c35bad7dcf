# A dozen attacks by scapy over a TUN device, each named on stdout as it is sent. The kernel's end is 10.7.0.1, the stack's 10.7.0.2.
import sys
from scapy.all import (ICMP, IP, TCP, UDP, IPv6, IPv6ExtHdrRouting, ICMPv6EchoRequest, Raw, conf, fragment, send, sr1)

conf.verb = 0
US, THEM = '10.7.0.1', '10.7.0.2'
to = lambda **fields: IP(src=US, dst=THEM, **fields)

attacks = {
    'land': lambda: send(IP(src=THEM, dst=THEM) / TCP(sport=7, dport=7, flags='S')),
    'teardrop': lambda: send([
        to(id=9, flags='MF', frag=0, proto=17) / Raw(b'a' * 40),
        to(id=9, frag=3, proto=17) / Raw(b'b' * 4)]),
    'ping of death': lambda: send([to(id=10, frag=8191 - 20, proto=1) / Raw(b'x' * 1400)]),
    'header length below five': lambda: send(to(ihl=4) / UDP(sport=9, dport=7)),
    'total length beyond the frame': lambda: send(to(len=1400) / UDP(sport=9, dport=7)),
    'option of length 0': lambda: send(to(options=[b'\x07\x00\x04\x00']) / UDP(sport=9, dport=7)),
    'source route': lambda: send(to(options=[b'\x83\x07\x04\x0a\x07\x00\x09\x00']) / UDP(sport=9, dport=7)),
    'data offset beyond the segment': lambda: send(to() / TCP(sport=9, dport=7, dataofs=15, flags='S')),
    'urgent pointer beyond everything': lambda: send(to() / TCP(sport=9, dport=7, flags='SU', urgptr=65535)),
    'christmas tree': lambda: send(to() / TCP(sport=9, dport=7, flags='FSRPAUEC')),
    'wrong checksum': lambda: send(to() / TCP(sport=9, dport=7, flags='S', chksum=0x1234)),
    'UDP length that lies': lambda: send(to() / UDP(sport=9, dport=7, len=4000) / Raw(b'abc')),
    'IP in IP': lambda: send(to() / IP(src='192.0.2.1', dst=THEM) / UDP(sport=9, dport=7) / Raw(b'abc')),
    'too big, of a path that carries 68': lambda: send(
        to() / ICMP(type=3, code=4, nexthopmtu=68) / IP(src=THEM, dst=US) / TCP(sport=7, dport=40000)),
    'port unreachable about nothing': lambda: send(
        to() / ICMP(type=3, code=3) / IP(src=THEM, dst=US) / TCP(sport=7, dport=40000)),
    'routing header 0': lambda: send(
        IPv6(src='fd00:7::1', dst='fd00:7::2') / IPv6ExtHdrRouting(type=0, segleft=1, addresses=['fd00:7::9']) / ICMPv6EchoRequest()),
}

for name, attack in attacks.items():
    try:
        attack()
        print(name, flush=True)
    except OSError as error:
        # What this kernel refuses to send never arrives, and proves nothing.
        print(f'{name}: not sent: {error}', file=sys.stderr)

answer = sr1(to() / ICMP(id=77, seq=1) / Raw(b'alive'), timeout=3)
print('alive' if answer is not None and Raw in answer else 'dead')
