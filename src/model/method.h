// How an object is backed up, and how far a backup has been verified (DESIGN §2).
#pragma once

#include <optional>
#include <string_view>

namespace holdfast {

enum class Method {
  kExport,      // Avro objects in Cloud Storage
  kCopy,        // a copy job into a backup project
  kSnapshot,    // a table snapshot
  kNative,      // Bigtable's own backup
  kDefinition,  // the manifest alone: of an object without data (object_kind.h); no policy's choice
};

// "export", "copy", "snapshot", "native", "definition"
std::string_view MethodName(Method method);

// The inverse, in this spelling; nullopt for another text.
std::optional<Method> FindMethod(std::string_view name);

// Each level includes those before it.
enum class VerifyLevel {
  kNone,  // nothing was looked at yet
  kL0,    // the objects exist and match size and crc32c
  kL1,    // every byte was read; the SHA-256 matches
  kL2,    // decoded: rows, schema and content digest match
  kL3,    // restored into a scratch place and compared
  kL4,    // compared with the live source
};

std::string_view VerifyLevelName(VerifyLevel level);                // "none", "L0" ... "L4"
std::optional<VerifyLevel> FindVerifyLevel(std::string_view name);  // any case

}  // namespace holdfast
