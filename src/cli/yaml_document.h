// A YAML or JSON text as a Json value: for documents that a command is given by file.
//
// Plain scalars are null, true or false, numbers or texts, by how they are written; quoted ones are
// texts. The text is outside input: size, depth and the number of nodes (aliases are copied, and
// count) are limited, and a key that comes twice is refused.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace YAML {
class Node;
}

namespace holdfast::cli {

// A node of a parsed text as a value. Errors: as ParseYamlDocument. May throw YAML's exceptions.
Result<Json> JsonOfYaml(const YAML::Node& node);

// Errors: kUsage with line and column; kLimitExceeded.
Result<Json> ParseYamlDocument(const std::string& text);

// The text of a file of `size_bytes_max` at most. Errors: kUsage (it cannot be read),
// kLimitExceeded.
Result<std::string> ReadTextFile(const std::string& path, size_t size_bytes_max);

}  // namespace holdfast::cli
