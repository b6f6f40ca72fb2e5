#include "cli/command.h"

int main(int argc, char** argv) { return holdfast::cli::RunCommandLine(argc, argv); }
