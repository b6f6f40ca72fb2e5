// YamlNode: a YAML text as a tree that knows where each of its parts stands.
//
// For documents that people write, so that a mistake is reported with line and column. The text is
// outside input: size, depth and the number of nodes are limited (aliases are copied, and count).
// A key that comes twice is refused, since one of the two would be lost in silence. Plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace holdfast {

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;             // kScalar
  bool quoted = false;          // kScalar: a text whatever it looks like
  std::vector<YamlNode> keys;   // kMap: scalars, as many as items
  std::vector<YamlNode> items;  // kList, kMap
  int line = 1;                 // from 1
  int column = 1;               // from 1

  // The value of a map's key; nullptr: there is none.
  const YamlNode* Find(std::string_view key) const;

  // Null, true or false, numbers and texts, by how they are written: `7` is a number, `"7"` a text.
  Json ToJson() const;
};

struct YamlLimits {
  size_t size_bytes_max = size_t{1} << 20U;
  int depth_max = 20;
  size_t nodes_max = 200'000;
};

// "line 3, column 7"
std::string PlaceText(int line, int column);

// Errors: kInvalidPolicy with the place; kLimitExceeded.
Result<YamlNode> ParseYamlTree(const std::string& text, const YamlLimits& limits = {});

}  // namespace holdfast
