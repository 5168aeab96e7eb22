"""The machine as it is: what its kernel, files, ports and packages show to who looks."""
