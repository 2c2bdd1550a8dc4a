# Completion of the store command for fish. __store_table precedes this text: completionTable.ts.

function __store_words --description "Prints the words for a place of the command line"
    for line in (__store_table)
        set -l field (string split \t -- $line)
        test "$field[1]" = "$argv[1]" -a "$field[2]" = "$argv[2]"; or continue
        switch $field[3]
            case @stacks
                for file in $argv[3]/Pulumi.*.yaml
                    string replace -r '.*/Pulumi\.(.*)\.yaml$' '$1' -- $file
                end
            case @services
                for file in $argv[3]/services/*/service.ts
                    string replace -r '.*/([^/]*)/service\.ts$' '$1' -- $file
                end
            case @files
                __fish_complete_path
            case @none
                continue
            case '*'
                printf '%s\t%s\n' $field[3] $field[4]
        end
    end
end

function __store_has --description "True if the table has a line for the command and the kind of word"
    __store_table | string match -q -- "$argv[1]"\t"$argv[2]"\t'*'
end

function __store_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l root .
    string match -q '*/*' -- $words[1]; and set root (dirname $words[1])
    if test (count $words) -eq 1
        __store_words - command $root
        return
    end
    # What follows -- belongs to another program.
    contains -- -- $words; and return
    set -l command $words[2]
    set -l i 3
    if __store_has $command command
        if test (count $words) -eq 2
            __store_words $command command $root
            return
        end
        set command "$command $words[3]"
        set i 4
    end
    if __store_has $command "value:$words[-1]"
        __store_words $command "value:$words[-1]" $root
        return
    end
    if string match -q -- '-*' $current
        __store_words $command flag $root
        return
    end
    set -l position 1
    while test $i -le (count $words)
        if __store_has $command "value:$words[$i]"
            set i (math $i + 1)
        else if not string match -q -- '-*' $words[$i]
            set position (math $position + 1)
        end
        set i (math $i + 1)
    end
    if __store_has $command "arg$position"
        __store_words $command "arg$position" $root
    else
        __store_words $command arg+ $root
    end
end

complete -c store -f -a '(__store_complete)'
