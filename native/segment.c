// Departing packets of a device to which the kernel's segmentation is not left: super-segments are cut. Each segment's headers are written
// into the arena directly before its text, over that of the one before, which has been sent, so that every segment lies in one piece.
// Checksums stay the kernel's: it completes them where they leave the machine, and a program on it does without.
#include "offload.h"
#include "packet.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct template {
  uint8_t octets[LONGEST_HEADERS];
  size_t ip_header;
  size_t length;
  uint32_t sequence;
  uint16_t identification;
};

int write_packet(int descriptor, const uint8_t *packet, size_t length) {
  while (write(descriptor, packet, length) < 0)
    if (errno != EINTR) return -errno;
  return 0;
}

// A receiver that merges segments knows by PSH that nothing follows at once, and hands on what it has. Linux says so too, with the last one
// of several; here a single one may be waited with as well.
static void push(uint8_t *packet, size_t length, size_t start, size_t field) {
  if (field != TCP_CHECKSUM || length < start + TCP_HEADER) return;
  if (length > start + (size_t)(packet[start + 12] >> 4) * 4) packet[start + 13] |= PSH;
}

// The super-segment's headers before `text` octets, `done` octets of its text having gone before them.
static void write_headers(uint8_t *packet, const struct template *from, size_t done, size_t text) {
  size_t ip_header = from->ip_header;
  memcpy(packet, from->octets, from->length);
  if (ip_header == IPV4_HEADER) write16(packet + 2, from->length + text);
  else write16(packet + 4, from->length + text - ip_header);
  uint32_t sequence = from->sequence + (uint32_t)done;
  write16(packet + ip_header + 4, sequence >> 16);
  write16(packet + ip_header + 6, sequence);
}

static void complete_headers(uint8_t *packet, const struct template *from, size_t index, bool is_last, size_t text) {
  size_t ip_header = from->ip_header;
  uint8_t *tcp = packet + ip_header;
  if (ip_header == IPV4_HEADER) {
    // RFC 6864: the identification of what can't be fragmented says nothing, and stays as it is.
    if ((packet[6] & DONT_FRAGMENT) == 0) write16(packet + 4, from->identification + index);
    write16(packet + 10, 0);
    uint16_t checksum = (uint16_t)~fold_sum(sum_octets(packet, IPV4_HEADER, 0));
    memcpy(packet + 10, &checksum, 2);
  }
  tcp[13] = is_last ? tcp[13] | PSH : tcp[13] & (uint8_t)~(FIN | PSH);
  if (index > 0) tcp[13] &= (uint8_t)~CWR;
  uint16_t partial = fold_sum(pseudo_sum(packet, TCP, from->length - ip_header + text));
  memcpy(tcp + TCP_CHECKSUM, &partial, 2);
}

static bool read_template(struct template *template, const uint8_t *packet, size_t length, size_t start) {
  if (length < start + TCP_HEADER) return false;
  bool is_ipv4 = packet[0] == 0x45 && start == IPV4_HEADER;
  if (!is_ipv4 && !(packet[0] >> 4 == 6 && start >= IPV6_HEADER)) return false;
  template->ip_header = start;
  template->length = start + (size_t)(packet[start + 12] >> 4) * 4;
  if (template->length < start + TCP_HEADER || template->length > length || template->length > LONGEST_HEADERS) return false;
  memcpy(template->octets, packet, template->length);
  template->sequence = read32(packet + start + 4);
  template->identification = (uint16_t)(packet[4] << 8 | packet[5]);
  return true;
}

static int write_cut(int descriptor, uint8_t *octets, int32_t *offset, int32_t *length, size_t start, size_t size) {
  struct template template;
  uint8_t whole_header[OFFLOAD_HEADER], header[OFFLOAD_HEADER] = {NEEDS_CHECKSUM};
  uint8_t *packet = octets + *offset;
  if (size == 0 || !read_template(&template, packet, (size_t)*length, start)) return -EINVAL;
  write16_little(header + HEADER_START, start);
  write16_little(header + HEADER_FIELD, TCP_CHECKSUM);
  memcpy(whole_header, packet - OFFLOAD_HEADER, OFFLOAD_HEADER);
  size_t whole = (size_t)*length - template.length;
  for (size_t done = 0, index = 0; done < whole; index++) {
    size_t text = whole - done < size ? whole - done : size;
    uint8_t *at = packet + done;
    write_headers(at, &template, done, text);
    complete_headers(at, &template, index, done + text == whole, text);
    memcpy(at - OFFLOAD_HEADER, header, OFFLOAD_HEADER);
    int result = write_packet(descriptor, at - OFFLOAD_HEADER, OFFLOAD_HEADER + template.length + text);
    if (result < 0) {
      // What is left is a super-segment again.
      memcpy(at - OFFLOAD_HEADER, whole_header, OFFLOAD_HEADER);
      write_headers(at, &template, done, whole - done);
      if (index > 0) at[start + 13] &= (uint8_t)~CWR;
      if (start == IPV4_HEADER && (at[6] & DONT_FRAGMENT) == 0) write16(at + 4, template.identification + index);
      *offset += (int32_t)done;
      *length -= (int32_t)done;
      return result;
    }
    done += text;
  }
  return 0;
}

int write_segments(int descriptor, uint8_t *octets, int32_t *offset, int32_t *length) {
  uint8_t *packet = octets + *offset;
  const uint8_t *header = packet - OFFLOAD_HEADER;
  size_t start = read16_little(header + HEADER_START);
  uint8_t type = header[HEADER_TYPE] & (uint8_t)~TYPE_ECN;
  if (type == 0) {
    if (header[HEADER_FLAGS] & NEEDS_CHECKSUM) push(packet, (size_t)*length, start, read16_little(header + HEADER_FIELD));
    return write_packet(descriptor, header, (size_t)*length + OFFLOAD_HEADER);
  }
  if (type != TYPE_TCP4 && type != TYPE_TCP6) return -EINVAL;
  return write_cut(descriptor, octets, offset, length, start, read16_little(header + HEADER_SIZE));
}
