using System.CommandLine;
using System.CommandLine.Help;

namespace StacyVM.Cli.Commands;

/// <summary><c>template</c>: the verbs on templates.</summary>
internal static class TemplateCommand
{
    public static Command Create()
    {
        var command = new Command("template", "Named recipes for sandboxes: image, limits, files, environment, secrets, set-up commands")
        {
            TemplateListCommand.Create(),
            TemplateGetCommand.Create(),
            TemplateSaveCommand.Create(),
            TemplateRemoveCommand.Create(),
            TemplateSpawnCommand.Create(),
        };
        command.SetAction(parsed => new HelpAction().Invoke(parsed));
        return command;
    }
}
