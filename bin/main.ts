process.stdout.write("parasaus\n");
