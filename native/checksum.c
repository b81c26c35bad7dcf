// Ones' complement sums, RFC 1071: in the order in which the octets lie in memory, since it doesn't matter (§2, B).
#include "offload.h"
#include "packet.h"

#include <string.h>

uint64_t sum_octets(const uint8_t *octets, size_t length, uint64_t sum) {
  // Two sums of 32 bits each, which a compiler can do several of at once; no packet can make them overflow.
  uint64_t low = 0, high = 0, word;
  size_t at = 0;
  for (; at + 8 <= length; at += 8) {
    memcpy(&word, octets + at, 8);
    low += word & 0xffffffff;
    high += word >> 32;
  }
  word = 0;
  memcpy(&word, octets + at, length - at);
  low += word & 0xffffffff;
  high += word >> 32;
  return sum + low + high;
}

uint16_t fold_sum(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

void write_ipv4_checksum(uint8_t *packet) {
  write16(packet + 10, 0);
  uint16_t checksum = (uint16_t)~fold_sum(sum_octets(packet, IPV4_HEADER, 0));
  memcpy(packet + 10, &checksum, 2);
}

uint64_t pseudo_sum(const uint8_t *packet, uint8_t protocol, size_t length) {
  const uint8_t words[8] = {0,
                            0,
                            0,
                            protocol,
                            (uint8_t)(length >> 24),
                            (uint8_t)(length >> 16),
                            (uint8_t)(length >> 8),
                            (uint8_t)length};
  bool is_ipv4 = packet[0] >> 4 == 4;
  uint64_t sum = sum_octets(words, sizeof words, 0);
  return is_ipv4 ? sum_octets(packet + 12, 8, sum) : sum_octets(packet + 8, 32, sum);
}
