// A PostgreSQL server for a scenario: prints its URL, and ends when its input does.
#include <iostream>

#include "tests/support/postgres_server.h"

int main() {
  const auto server = holdfast::testing_support::PostgresServer::Start();
  if (!server.ok()) {
    std::cerr << server.error().message << '\n';
    return 1;
  }
  std::cout << (*server)->Url() << std::endl;
  for (char ignored = 0; std::cin.get(ignored);) {
  }
  return 0;
}
