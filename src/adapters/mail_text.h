// An alert as a mail: RFC 5322 headers that no name can break out of, and a text body.
//
// Whatever is not printable ASCII in a header is an encoded word (RFC 2047); control characters
// become spaces first, so a line break in a table's name begins no header. The body is base64, so
// that it holds any text in lines of any length. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cloud/notifier.h"

namespace holdfast {

struct MailAddresses {
  std::string from;  // ASCII, as IsMailAddress has it
  std::vector<std::string> to;
};

// Whether it is an address that can stand in an envelope and a header as it is: printable ASCII
// with one '@', without spaces, quotes, commas or angle brackets, 254 characters at most.
bool IsMailAddress(std::string_view text);

// The whole message, with lines ended by CR LF. The addresses are such.
std::string ComposeMail(const cloud::Alert& alert, const MailAddresses& addresses);

// The text on one line: control characters as spaces, invalid UTF-8 as '?', `size_max` bytes at
// most, cut between characters.
std::string OneLine(std::string_view text, size_t size_max);

// The words that a person reads, in several lines ended by LF; the same for every channel.
std::string AlertText(const cloud::Alert& alert);

// "[holdfast] CRITICAL: ...", "[holdfast] resolved: ...".
std::string AlertSubject(const cloud::Alert& alert);

}  // namespace holdfast
