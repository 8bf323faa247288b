"""Reading workbooks (XLSX) that strangers made: checked first, then read by a child process with limits."""
