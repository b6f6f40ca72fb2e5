#include "cli/yaml_document.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <fstream>

namespace holdfast::cli {

namespace {

constexpr size_t kYamlBytesMax = size_t{1} << 20U;
constexpr int kDepthMax = 64;
constexpr size_t kNodesMax = 200'000;

Error Misread(const YAML::Mark& mark, std::string_view what) {
  return MakeError(ErrorId::kUsage,
                   fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, what));
}

template <typename T>
bool ParsesAs(std::string_view text, T& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size();
}

Json ScalarOf(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "false") return text == "true";
  if (text == "null" || text == "~" || text.empty()) return nullptr;
  int64_t whole = 0;
  if (ParsesAs(text, whole)) return whole;
  double number = 0;
  const bool digits = text.find_first_not_of("+-.0123456789eE") == text.npos;
  if (digits && ParsesAs(text, number)) return number;
  return text;
}

class TreeReader {
 public:
  Result<Json> Read(const YAML::Node& node, int depth) {
    if (++nodes_ > kNodesMax || depth > kDepthMax) {
      return MakeError(ErrorId::kLimitExceeded,
                       fmt::format("more than {} values, or more than {} inside each other",
                                   kNodesMax, kDepthMax));
    }
    if (node.IsScalar()) return ScalarOf(node);
    if (node.IsSequence()) return ReadList(node, depth);
    if (node.IsMap()) return ReadMap(node, depth);
    return Json(nullptr);
  }

 private:
  Result<Json> ReadList(const YAML::Node& node, int depth) {
    Json list = Json::array();
    for (const auto& item : node) {
      HF_ASSIGN_OR_RETURN(Json value, Read(item, depth + 1));
      list.push_back(std::move(value));
    }
    return list;
  }

  Result<Json> ReadMap(const YAML::Node& node, int depth) {
    Json map = Json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Misread(entry.first.Mark(), "a key is not a word");
      const std::string& key = entry.first.Scalar();
      if (map.contains(key)) {
        return Misread(entry.first.Mark(), fmt::format("\"{}\" is there twice", key));
      }
      HF_ASSIGN_OR_RETURN(map[key], Read(entry.second, depth + 1));
    }
    return map;
  }

  size_t nodes_ = 0;
};

}  // namespace

Result<Json> JsonOfYaml(const YAML::Node& node) { return TreeReader().Read(node, 0); }

Result<Json> ParseYamlDocument(const std::string& text) {
  if (text.size() > kYamlBytesMax) {
    return MakeError(ErrorId::kLimitExceeded, fmt::format("more than {} bytes", kYamlBytesMax));
  }
  // yaml-cpp throws; this is its edge.
  try {
    return JsonOfYaml(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    return Misread(error.mark, error.msg);
  }
}

Result<std::string> ReadTextFile(const std::string& path, size_t size_bytes_max) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::string chunk(size_t{1} << 16U, '\0');
  while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0) {
    text.append(chunk, 0, static_cast<size_t>(file.gcount()));
    // A file without end (a device) does not fill the memory.
    if (text.size() > size_bytes_max) {
      return MakeError(ErrorId::kLimitExceeded,
                       fmt::format("{}: more than {} bytes", path, size_bytes_max));
    }
  }
  if (!file.eof()) return MakeError(ErrorId::kUsage, path + ": cannot be read");
  return text;
}

}  // namespace holdfast::cli
