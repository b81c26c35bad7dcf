// Software offload: segmentation here and not in the kernel, to which checksums are left in both cases. The header before a packet is the
// same too (struct virtio_net_hdr), so that TypeScript needn't know who does it.
#ifndef TUNSTACK_OFFLOAD_H
#define TUNSTACK_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// struct virtio_net_hdr, without the number of buffers.
#define OFFLOAD_HEADER 10
// The header before a merged packet, or before one of its own.
#define LONGEST_HEADERS 120
#define LONGEST_MERGED 65535

// Segments of one flow that came one after the other, with the first one's headers and all the text behind them; or, where `size` is 0,
// acknowledgments without text, of which the last is kept.
struct run {
  uint8_t *packet;
  // IP's and TCP's headers; all octets; the text of the first segment, which no other may exceed.
  size_t ip_header;
  size_t headers;
  size_t octets;
  size_t size;
  uint32_t next;
  int segments;
  bool is_open;
};

// checksum.c: the ones' complement sum (RFC 1071) of octets as they lie in memory, and its 16 bits.
uint64_t sum_octets(const uint8_t *octets, size_t length, uint64_t sum);
uint16_t fold_sum(uint64_t sum);
// Of a header without options.
void write_ipv4_checksum(uint8_t *packet);
// Over addresses, protocol and length of an IP packet whose transport has `length` octets.
uint64_t pseudo_sum(const uint8_t *packet, uint8_t protocol, size_t length);

// merge.c: verifies a packet that has arrived at `packet`, unless its header vouches for it, says so in that header, and begins a run with it
// where others may follow.
void begin_run(struct run *run, uint8_t *packet, size_t length);
// Whether the packet, its first `run->headers` octets at `headers`, with its header before them, and the rest at the run's end, continues it;
// if so it has been taken in.
bool continue_run(struct run *run, const uint8_t *headers, size_t length);
// Whether IP's and TCP's headers, `length` octets in all, are the same but for what differs from segment to segment: IPv4's length,
// identification and checksum, IPv6's length, TCP's sequence number, PSH, FIN, checksum and what URG would give a meaning.
bool have_alike_headers(const uint8_t *first, const uint8_t *headers, size_t ip_header, size_t length);
// Nothing follows: the headers are made to tell of all of it.
void end_run(struct run *run);

#endif
